using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>What is the program's own fault is no outage of the database's, and an operator has to read where it comes from.</summary>
public sealed class StatementFailureTests
{
    [Theory]
    [InlineData("42601", true)] // no statement
    [InlineData("42P01", true)] // no such table
    [InlineData("42501", true)] // no right to it
    [InlineData("3D000", false)] // no such database
    [InlineData("28P01", false)] // no such login
    [InlineData("57P03", false)] // starting
    [InlineData("53300", false)] // no connection left
    public void A_statement_that_is_refused_for_itself_is_a_defect(string state, bool expected) =>
        Assert.Equal(expected, DatabaseFailure.ToPort(new PostgresException("refused", "ERROR", "ERROR", state), "looking").IsDefect);

    [Theory]
    [InlineData("53100", "could not extend file: No space left on device", PortFailureKind.Full)]
    [InlineData("XX000", "could not write init file", PortFailureKind.Full)] // as a server process begins on a full disk
    [InlineData("XX000", "cache lookup failed", PortFailureKind.Unavailable)]
    public void What_fails_for_the_disk_is_told_as_that(string state, string text, PortFailureKind kind)
    {
        var told = DatabaseFailure.ToPort(new PostgresException(text, "FATAL", "FATAL", state), "looking");

        Assert.Equal((kind, kind == PortFailureKind.Full), (told.Kind, told.Message.Contains("no room on its disk", StringComparison.Ordinal)));
    }
}
