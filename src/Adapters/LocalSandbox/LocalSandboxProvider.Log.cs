using Coordinator.Ports;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.LocalSandbox;

internal sealed partial class LocalSandboxProvider
{
    [LoggerMessage(5201, LogLevel.Information, "Box {Sandbox} (generation {Generation}) runs as process {Pid} after {Milliseconds:F0} ms.")]
    private partial void LogStarted(SandboxId sandbox, int generation, int pid, double milliseconds);

    [LoggerMessage(5202, LogLevel.Warning, "Box {Sandbox} could not be started; what there was of it has been ended.")]
    private partial void LogNotStarted(SandboxId sandbox, Exception failure);

    [LoggerMessage(5203, LogLevel.Information, "Box {Sandbox} is destroyed (data kept: {KeptData}).")]
    private partial void LogDestroyed(SandboxId sandbox, bool keptData);
}
