namespace Coordinator.Ports.Session;

/// <summary>
/// Who keeps sessions in memory that nobody else would fence off, for the journal's store to tell that it went back in time under them. An append finds out by its
/// epoch; one who only looks at a session would be shown what is gone for as long as nothing is appended.
/// </summary>
public interface IKeepsSessions
{
    /// <summary>
    /// Ends every session's actor here, to begin anew from what the journal has then; those who follow are closed, and come back with their cursor. Returns once all have ended.
    /// </summary>
    Task BeginAnewAsync(CancellationToken cancellationToken);
}
