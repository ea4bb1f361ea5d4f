using Coordinator.Ports;
using Microsoft.EntityFrameworkCore;

namespace Coordinator.Adapters.Postgres;

/// <summary>The table of <c>0003_runs.sql</c>.</summary>
internal sealed class RunContext(DbContextOptions<RunContext> options) : DbContext(options)
{
    public DbSet<RunRow> Runs => Set<RunRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<RunRow>(run =>
        {
            run.ToTable("run").HasKey(row => new { row.Org, row.Id });
            run.Property(row => row.RequestedByKind).HasConversion(SnakeCaseModel.Names<PrincipalKind>());
        });
        SnakeCaseModel.NameColumns(modelBuilder);
    }
}
