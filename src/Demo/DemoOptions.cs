namespace Coordinator.Demo;

/// <summary>Section <c>Demo</c>: the scripted model and the sample repository, for a first look and for tests. Off unless said otherwise.</summary>
public sealed class DemoOptions
{
    public const string Section = "Demo";

    /// <summary>Default false: a production host has no demo.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// Where this host reaches itself, such as <c>http://127.0.0.1:8787</c>. By default the first plain HTTP address it
    /// listens on; needed only where there is none.
    /// </summary>
    public Uri? HostUrl { get; set; }

    /// <summary>The pause after each word of an answer. Default 20 ms.</summary>
    public TimeSpan WordPause { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Where the sample repository is made. Default <c>demo</c> in the data directory.</summary>
    public string? Directory { get; set; }

    /// <summary>Host and port under which boxes reach the sample repository; the host sets it, with the exception that lets them.</summary>
    public string? RepositoryHost { get; set; }

    internal IEnumerable<string> Problems()
    {
        if (WordPause < TimeSpan.Zero || WordPause > TimeSpan.FromSeconds(10)) yield return $"{Section}:{nameof(WordPause)} is {WordPause}; it must lie between 0 and 10 s.";
        if (HostUrl is { } url && (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https"))) yield return $"{Section}:{nameof(HostUrl)} is {url}; it must be an absolute http or https address.";
    }
}
