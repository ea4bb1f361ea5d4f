using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Coordinator.Demo.Repository;

/// <summary>Where the sample repository is, for the page that offers it.</summary>
internal sealed record SampleDescription(string Repository)
{
    public static Results<JsonHttpResult<SampleDescription>, NotFound> Of(DemoOptions options) => options.RepositoryHost is { } host
        ? TypedResults.Json(new SampleDescription($"http://{host}/demo/repositories/node-sample.git"), DemoJson.Default.SampleDescription)
        : TypedResults.NotFound();
}
