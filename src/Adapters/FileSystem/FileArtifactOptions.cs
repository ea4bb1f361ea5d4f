namespace Coordinator.Adapters.FileSystem;

/// <summary>Section <c>Artifacts</c>: where blobs are kept.</summary>
public sealed class FileArtifactOptions
{
    public const string Section = "Artifacts";

    /// <summary>The directory; made when it is missing. Default: <c>artifacts</c> in the data directory.</summary>
    public string? Directory { get; set; }
}
