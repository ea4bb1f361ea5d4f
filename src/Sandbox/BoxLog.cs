using System.Globalization;

namespace Coordinator.Sandbox;

/// <summary>
/// The box's own log: one line per happening to standard error, where the provider keeps it. Never a payload, never a
/// secret. Written by hand, since a logging framework would double the program's size.
/// </summary>
internal sealed class BoxLog(TextWriter writer, TimeProvider time)
{
    public void Started(string box, int port) => Write($"started as {box}, serving the agent on 127.0.0.1:{port}");

    public void Connected() => Write("connected to the control plane");

    public void Disconnected(int code) => Write($"disconnected with code {code}");

    public void DialFailed(string why) => Write($"cannot reach the control plane: {why}");

    public void Refused(int status) => Write($"the control plane does not want this box any more ({status})");

    public void ClosingConnection(string why) => Write($"closing the connection: {why}");

    public void SpoolRenewed(string id) => Write($"began spool {id}");

    public void SpoolNotRenewed(string why) => Write($"the spool cannot be renewed: {why}");

    public void LedgerNotWritten(string why) => Write($"the message ledger cannot be written: {why}");

    public void BootPhase(string phase, string status, long elapsedMs) => Write($"boot {phase} {status} at {elapsedMs} ms");

    public void AgentEnded(int exitCode) => Write($"the agent ended with exit code {exitCode}");

    public void AgentNotResponding(string what) => Write($"the agent does not respond: {what}");

    public void TurnEnded(string message, string outcome) => Write($"{message} {outcome}");

    public void EndingProcesses(string why) => Write($"ending all that runs: {why}");

    public void Ending(string why) => Write($"ending: {why}");

    public void Failed(string what, Exception exception) => Write($"{what}: {exception.GetType().Name}: {exception.Message}");

    private void Write(string line)
    {
        lock (writer)
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {line}"));
            writer.Flush();
        }
    }
}
