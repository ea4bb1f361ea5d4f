using System.Globalization;
using Coordinator.Tests.Support.Hosting;

namespace Coordinator.Tests.Support;

/// <summary>The main process of the PostgreSQL that has a data folder.</summary>
public static class PostgresMainProcess
{
    /// <summary>kill -9. False when none runs there in this moment: its file may be of one that is gone, and the id in it by now somebody else's.</summary>
    public static bool Kill(string cluster)
    {
        var file = Path.Combine(cluster, "postmaster.pid");
        if (!File.Exists(file) || !int.TryParse(File.ReadLines(file).FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return false;
        return LiveProcess.Naming($"postgres -D {cluster}").FirstOrDefault(process => process.Id == id)?.Kill() ?? false;
    }
}
