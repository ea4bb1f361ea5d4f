using Coordinator.Adapters.Postgres;
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
}
