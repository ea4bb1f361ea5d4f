using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>Section <c>Models:Calls</c>: how much of a host the model calls of boxes may take at once.</summary>
public sealed class ModelCallOptions
{
    public const string Section = "Models:Calls";

    /// <summary>Model calls that one box may have under way at once.</summary>
    public int MaxPerBox { get; set; } = 32;

    /// <summary>Bytes of the bodies of one box's calls under way, and of what is kept of their answers beyond 64 KiB each; at least the 20 MiB of one call. A call whose body finds no room is refused, and one whose answer finds none is cut.</summary>
    public long MaxBytesPerBox { get; set; } = 64 * 1024 * 1024;

    /// <summary>The same of all boxes of one organization on this host, so that none keeps the others' boxes waiting.</summary>
    public long MaxBytesPerOrganization { get; set; } = 128 * 1024 * 1024;

    /// <summary>The same of all boxes of this host together. What the host holds for a call is up to three times its body.</summary>
    public long MaxBytes { get; set; } = 512 * 1024 * 1024;
}

/// <summary>Names every wrong setting at once.</summary>
internal sealed class ModelCallOptionsValidator : IValidateOptions<ModelCallOptions>
{
    public ValidateOptionsResult Validate(string? name, ModelCallOptions options)
    {
        List<string> wrong = [];
        if (options.MaxPerBox < 1) wrong.Add($"MaxPerBox must be at least 1, not {options.MaxPerBox}");
        if (options.MaxBytesPerBox < CallModel.LargestBody) wrong.Add($"MaxBytesPerBox must be at least {CallModel.LargestBody}, which one call may have, not {options.MaxBytesPerBox}");
        if (options.MaxBytesPerOrganization < options.MaxBytesPerBox) wrong.Add($"MaxBytesPerOrganization ({options.MaxBytesPerOrganization}) must be at least MaxBytesPerBox ({options.MaxBytesPerBox})");
        if (options.MaxBytes < options.MaxBytesPerBox) wrong.Add($"MaxBytes ({options.MaxBytes}) must be at least MaxBytesPerBox ({options.MaxBytesPerBox})");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong.Select(text => $"{ModelCallOptions.Section}: {text}."));
    }
}
