namespace Coordinator.Adapters.Modal.DataPlane;

/// <summary>One request of the contract.</summary>
/// <param name="Changes">False: it only looks, so that a lost answer leaves nothing in doubt.</param>
internal sealed record DataPlaneCall(HttpMethod Method, string PathAndQuery, byte[] Body, TimeSpan Limit, bool Changes)
{
    public static DataPlaneCall Get(string pathAndQuery, TimeSpan limit) => new(HttpMethod.Get, pathAndQuery, [], limit, Changes: false);

    public static DataPlaneCall Post(string path, byte[] body, TimeSpan limit) => new(HttpMethod.Post, path, body, limit, Changes: true);

    public static DataPlaneCall Delete(string pathAndQuery, TimeSpan limit) => new(HttpMethod.Delete, pathAndQuery, [], limit, Changes: true);
}

/// <summary>What came back, whole. A failure is a <see cref="DataPlaneFailure"/> instead.</summary>
internal sealed record DataPlaneResponse(int Status, byte[] Body);
