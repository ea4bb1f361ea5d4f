namespace Coordinator.Starting;

/// <summary>The addresses that a program listens at, as settings hold them.</summary>
internal static class ListenAddress
{
    public static string[] Split(string urls) => urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>An address that means "everywhere", as one that can be read.</summary>
    public static string Readable(string url) => url.Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal);

    /// <summary>Whether a server can make something of it.</summary>
    public static bool IsOne(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            return address.IsUnixPipe || (address.PathBase.Length == 0 && IsWeb(Readable(url)));
        }
        catch (Exception failure) when (failure is FormatException or InvalidOperationException)
        {
            return false;
        }
    }

    public static bool IsWeb(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps);
}
