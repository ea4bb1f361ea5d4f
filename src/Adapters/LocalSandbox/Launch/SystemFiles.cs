using System.Text;
using Coordinator.Adapters.LocalSandbox.Layout;

namespace Coordinator.Adapters.LocalSandbox.Launch;

/// <summary>
/// What boxes see of <c>/etc</c>: files made here in place of the host's (which tell of its users and networks), and
/// the few parts of the host's that programs need and that hold no secret.
/// </summary>
internal sealed class SystemFiles(BoxPaths paths)
{
    private static readonly (string Name, string Text)[] Made =
    [
        ("passwd", $"root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:1000:1000:agent:/home/agent:{BoxEnvironment.Shell}\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"),
        ("group", "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n"),
        ("hosts", "127.0.0.1 localhost box\n::1 localhost\n"),
        ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
        ("resolv.conf", "# A box has no network of its own; use the proxy in HTTP_PROXY and HTTPS_PROXY.\n"),
    ];

    private static readonly string[] Passed =
    [
        "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies", "/etc/alternatives",
        "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/mime.types",
        "/etc/dotnet", "/etc/maven", "/etc/gradle", "/etc/perl", "/etc/php",
    ];

    /// <summary>Writes the made files; a box that runs keeps those it was started with.</summary>
    public void Prepare()
    {
        Directory.CreateDirectory(paths.Etc);
        foreach (var (name, text) in Made) AtomicFile.Write(Path.Combine(paths.Etc, name), Encoding.UTF8.GetBytes(text), AtomicFile.Everyone);
    }

    /// <summary>Host path and path in the box.</summary>
    public IEnumerable<(string Source, string Target)> Binds()
    {
        foreach (var (name, _) in Made) yield return (Path.Combine(paths.Etc, name), $"/etc/{name}");
        foreach (var path in Passed.Concat(JavaConfigurations()).Where(Path.Exists)) yield return (path, path);
    }

    /// <summary>Debian's Java reads its configuration through links from /usr/lib/jvm into /etc/java-NN-openjdk.</summary>
    private static string[] JavaConfigurations() => Directory.GetDirectories("/etc", "java-*");
}
