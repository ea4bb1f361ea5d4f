using Coordinator.Ports;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Runs each piece of relational work in one transaction that says on whose behalf it is. The setting ends with the
/// transaction, so a pooled connection carries nothing over. Failures come out as <see cref="PortException"/>s.
/// </summary>
internal sealed class TenantTransactions<TContext>(IDbContextFactory<TContext> contexts, NpgsqlDataSource dataSource)
    where TContext : DbContext
{
    /// <summary>Work that sees the rows of <paramref name="organization"/> only.</summary>
    public ValueTask<T> ForOrganizationAsync<T>(OrganizationId organization, Func<TContext, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(TenantScope.Of(organization), work, cancellationToken);

    /// <summary>Work that decides which organization a call is for, or that belongs to none.</summary>
    public ValueTask<T> ForSystemAsync<T>(Func<TContext, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(TenantScope.System, work, cancellationToken);

    private async ValueTask<T> RunAsync<T>(TenantScope scope, Func<TContext, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var committing = false;
        try
        {
            await using var context = await contexts.CreateDbContextAsync(cancellationToken);
            await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
            await context.Database.ExecuteSqlAsync(scope.Formattable, cancellationToken);
            var answer = await work(context, cancellationToken);
            committing = true;
            await transaction.CommitAsync(cancellationToken);
            return answer;
        }
        catch (Exception failure) when (RelationalFailure.Translate(failure, $"working with {typeof(TContext).Name}", committing) is { } translated)
        {
            DatabaseFailure.LeaveIfReadOnly(dataSource, translated.InnerException);
            throw translated;
        }
    }
}
