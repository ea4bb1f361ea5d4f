namespace Coordinator.Adapters.Postgres;

/// <summary>For what a crash may take with it: the transaction's commit waits for neither the disk nor a standby.</summary>
internal static class UnforcedCommit
{
    /// <summary>Says so within a statement of the transaction. <c>SET LOCAL</c> does the same, and outside of a transaction's block warns of it each time.</summary>
    public const string Sql = "set_config('synchronous_commit', 'off', true)";
}
