using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Facts;

/// <summary>Snapshots: the folded state as JSON, marked with the hash of its shape, so that another shape is refolded.</summary>
internal static class StateCodec
{
    /// <summary>
    /// Raised where facts of old are folded to something else, though into the same shape: a host of before, which skips what it does not know of a fact,
    /// writes snapshots that a newer one must not go on from.
    /// </summary>
    private const string Fold = "2";

    private static readonly string ShapeHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Fold + Shape(typeof(SessionState), []))))[..16];

    public static JournalSnapshot Write(SessionState state) =>
        new(state.Version, state.Seq, ShapeHash, JsonSerializer.SerializeToUtf8Bytes(state, FactJson.Default.SessionState));

    /// <summary>Null when the snapshot is of another shape, or damaged: the records say the same, and are what counts.</summary>
    public static SessionState? Read(JournalSnapshot snapshot)
    {
        if (snapshot.ShapeHash != ShapeHash) return null;
        try
        {
            return JsonSerializer.Deserialize(snapshot.State.Span, FactJson.Default.SessionState) is { } state && state.Version == snapshot.Version ? state : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or InvalidOperationException or NotSupportedException)
        {
            // Whatever in it is damaged: the shell, which knows that it is of this shape, says so.
            return null;
        }
    }

    /// <summary>Names and types of all members, depth first.</summary>
    private static string Shape(Type type, HashSet<Type> seen)
    {
        if (!seen.Add(type) || type.Namespace?.StartsWith("Coordinator", StringComparison.Ordinal) != true)
            return type.IsGenericType ? $"{type.Name}<{string.Join(',', type.GetGenericArguments().Select(a => Shape(a, seen)))}>" : type.Name;
        if (type.IsEnum) return $"{type.Name}[{string.Join(',', Enum.GetNames(type))}]";
        var members = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.SetMethod is not null).OrderBy(p => p.Name, StringComparer.Ordinal);
        return $"{type.Name}{{{string.Join(';', members.Select(p => $"{p.Name}:{Shape(p.PropertyType, seen)}"))}}}";
    }
}
