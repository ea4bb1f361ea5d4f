namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>Where a database is: which server, and on which timeline of its log.</summary>
internal readonly record struct DatabasePlace(long Server, long Timeline);

/// <summary>What one look at a database shows.</summary>
/// <param name="Said">The incarnation that it was last made to say.</param>
/// <param name="Started">When its server was started, in microseconds.</param>
/// <param name="Begun">
/// Where the log's last checkpoint stands. A server writes one when it shuts down, or before it lets anybody in after a crash: soon after a start it is where that found the log's end,
/// however much was written since.
/// </param>
/// <param name="Durable">How far the log is flushed.</param>
internal readonly record struct DatabaseSight(DatabasePlace Place, int Said, long Started, long Begun, long Durable)
{
    /// <summary>
    /// True when the log ends, or ended as the server was started, before what was durable at <paramref name="earlier"/>. No crash does that to a server that flushes: where a record was
    /// flushed in part, the log goes on behind that part.
    /// </summary>
    public bool IsBehind(DatabaseSight earlier) => Place == earlier.Place && (Durable < earlier.Durable || (Started != earlier.Started && Begun < earlier.Durable));

    /// <summary>True when neither it is elsewhere nor anybody made it say anything else.</summary>
    public bool IsAsAt(DatabaseSight earlier) => Place == earlier.Place && Said == earlier.Said;
}

/// <summary>What came of a look that was noted.</summary>
/// <param name="WentBack">Whether the database was made to say, just now, that it went back.</param>
/// <param name="Said">The incarnation that it says now.</param>
internal readonly record struct DatabaseNote(bool WentBack, int Said);
