using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Builds a context's model while the database starts, so that the first call, which a person waits for, does not. Needs
/// no database; whoever comes first builds it.
/// </summary>
internal sealed class ModelWarmUp<TContext>(IDbContextFactory<TContext> contexts) : BackgroundService
    where TContext : DbContext
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Run(
        () =>
        {
            using var context = contexts.CreateDbContext();
            _ = context.Model;
        },
        stoppingToken);
}
