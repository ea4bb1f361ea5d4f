using Coordinator.Adapters.LocalSandbox;
using Coordinator.Ports;

namespace Coordinator.Starting;

/// <summary>The unix socket that boxes on this machine dial (<see cref="HostSocket"/>), made ready to be listened on.</summary>
internal static class SocketForBoxes
{
    /// <summary>Its path; null where it cannot be made, which is added to what is wrong, or another process listens there, which may end.</summary>
    public static string? Prepare(IConfiguration configuration, WrongSettings wrong)
    {
        try
        {
            return HostSocket.Prepare(configuration);
        }
        catch (PortException taken)
        {
            wrong.FailWith(taken);
            return null;
        }
        catch (Exception failure) when ((failure is InvalidOperationException or IOException or UnauthorizedAccessException) && !FullDisk.Is(failure))
        {
            wrong.Add($"The socket for boxes cannot be made: {failure.Message}");
            return null;
        }
    }
}
