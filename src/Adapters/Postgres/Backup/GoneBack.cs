using Npgsql;

namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>
/// Makes a database that went back in time say so. What it is told stands in one transaction, so no host ever serves a part
/// of it: every session is another incarnation, and shows itself with a cursor of it, held by nobody, at an epoch that no host was ever given, and due when it was due; topics have a floor above any
/// watermark they gave; sign-in links that may have been used since are gone.
/// </summary>
internal static class GoneBack
{
    private static readonly DateTimeOffset Beginning = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>More watermarks than any topic gives in a second.</summary>
    private const long WatermarksPerSecond = 1_000_000;

    /// <summary>
    /// Where an incarnation's epochs begin: more of them than any session is opened and released within one. What hosts were given
    /// after the copy is unknown here, and one that was left running over the restore still holds it.
    /// </summary>
    private const int EpochBits = 32;

    /// <summary>
    /// One that was never given, whichever copy was restored how often: the seconds since 2020, unless sessions are beyond
    /// that. What was written after the copy is unknown here, so counting on from the copy would not do.
    /// </summary>
    public static int NextIncarnation(int highest, DateTimeOffset now) => Math.Max(checked(highest + 1), (int)Math.Clamp((now - Beginning).TotalSeconds, 1, int.MaxValue));

    /// <summary>
    /// Within the connection's transaction, and with what hosts write meanwhile waiting for its end. Sessions and topics that are made later begin there too, for
    /// they may have been there before. Where the database then is, is for the next host to note.
    /// </summary>
    public static async Task SayAsync(NpgsqlConnection connection, int incarnation, CancellationToken cancellationToken)
    {
        var watermark = incarnation * WatermarksPerSecond;
        var epoch = (long)incarnation << EpochBits;
        await using var command = new NpgsqlCommand(
            $"""
            LOCK TABLE session_head, session_view, feed_topic IN ACCESS EXCLUSIVE MODE;
            UPDATE session_head SET incarnation = {incarnation}, host = NULL, epoch = greatest(epoch + 1, {epoch}), hidden_until = NULL;
            ALTER TABLE session_head ALTER COLUMN incarnation SET DEFAULT {incarnation}, ALTER COLUMN epoch SET DEFAULT {epoch};
            UPDATE session_view SET view = convert_to(regexp_replace(convert_from(view, 'UTF8'), '"cursor":"\d+\.', '"cursor":"{incarnation}.'), 'UTF8');
            DELETE FROM feed_entry;
            UPDATE feed_topic SET head = greatest(head, {watermark}), floor = greatest(head, {watermark});
            ALTER TABLE feed_topic ALTER COLUMN head SET DEFAULT {watermark}, ALTER COLUMN floor SET DEFAULT {watermark};
            DELETE FROM personal_credential WHERE kind = 'sign_in_link';
            DELETE FROM session_host;
            DO $$ BEGIN
                IF to_regclass('database_timeline') IS NOT NULL THEN DELETE FROM database_timeline; END IF;
            END $$;
            """,
            connection)
        {
            CommandTimeout = 0, // however many sessions there are
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task<int> HighestAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce(max(incarnation), 0) FROM session_head", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
