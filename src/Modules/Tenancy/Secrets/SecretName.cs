using System.Text.RegularExpressions;
using Coordinator.Ports;

namespace Coordinator.Modules.Tenancy;

/// <summary>
/// Names of secrets, <c>[a-z0-9._/-]{1,120}</c>. By convention <c>models/{provider}</c> holds a model provider's key and
/// <c>git/{host}</c> a git token (<c>username:password</c>, or a token alone).
/// </summary>
internal static partial class SecretName
{
    /// <summary>The refusal of a name, or null.</summary>
    public static Problem? Check(string name) => Form().IsMatch(name)
        ? null
        : new("secret_name_invalid", "A secret's name is 1 to 120 of a-z, 0-9, '.', '_', '/' and '-', such as models/openai or git/github.com.");

    /// <summary>
    /// A name as it stands in a path, where clients may write a slash as %2F, which routing leaves as it is.
    /// </summary>
    public static string FromPath(string path) => path.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    /// <summary>True for names whose values travel in a header or a URL, and so are one line.</summary>
    public static bool IsCredential(string name) => name.StartsWith("models/", StringComparison.Ordinal) || name.StartsWith("git/", StringComparison.Ordinal);

    [GeneratedRegex(@"\A[a-z0-9._/-]{1,120}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
