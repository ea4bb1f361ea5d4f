using Microsoft.Extensions.Options;

namespace Coordinator.Tests.Modules.Host;

/// <summary>What a start that is refused says of each wrong setting.</summary>
internal static class RefusedSettings
{
    public static IEnumerable<string> In(Exception failure) => failure switch
    {
        AggregateException several => several.InnerExceptions.SelectMany(In),
        OptionsValidationException options => options.Failures,
        _ => [failure.Message],
    };
}
