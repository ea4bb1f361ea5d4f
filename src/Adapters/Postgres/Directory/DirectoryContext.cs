using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.EntityFrameworkCore;

namespace Coordinator.Adapters.Postgres;

/// <summary>The tables of <c>0002_tenancy.sql</c>.</summary>
internal sealed class DirectoryContext(DbContextOptions<DirectoryContext> options) : DbContext(options)
{
    public DbSet<PersonRow> People => Set<PersonRow>();

    public DbSet<PersonalCredentialRow> PersonalCredentials => Set<PersonalCredentialRow>();

    public DbSet<OrganizationRow> Organizations => Set<OrganizationRow>();

    public DbSet<MembershipRow> Memberships => Set<MembershipRow>();

    public DbSet<ApiKeyRow> ApiKeys => Set<ApiKeyRow>();

    public DbSet<SecretRow> Secrets => Set<SecretRow>();

    public DbSet<IdempotentRequestRow> IdempotentRequests => Set<IdempotentRequestRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        var roles = SnakeCaseModel.Names<Role>();
        modelBuilder.Entity<PersonRow>().ToTable("person").HasKey(row => row.Id);
        modelBuilder.Entity<PersonalCredentialRow>(credential =>
        {
            credential.ToTable("personal_credential").HasKey(row => row.Id);
            credential.Property(row => row.Kind).HasConversion(SnakeCaseModel.Names<CredentialKind>());
        });
        modelBuilder.Entity<OrganizationRow>().ToTable("organization").HasKey(row => row.Org);
        modelBuilder.Entity<MembershipRow>(membership =>
        {
            membership.ToTable("membership").HasKey(row => new { row.Org, row.Person });
            membership.Property(row => row.Role).HasConversion(roles);
        });
        modelBuilder.Entity<ApiKeyRow>(key =>
        {
            key.ToTable("api_key").HasKey(row => row.Id);
            key.Property(row => row.Role).HasConversion(roles);
        });
        modelBuilder.Entity<SecretRow>().ToTable("secret").HasKey(row => new { row.Org, row.Name });
        modelBuilder.Entity<IdempotentRequestRow>().ToTable("idempotent_request").HasKey(row => new { row.Org, row.Scope, row.Key });
        foreach (var key in modelBuilder.Model.GetEntityTypes().SelectMany(entity => entity.GetKeys()).SelectMany(key => key.Properties))
            key.ValueGenerated = Microsoft.EntityFrameworkCore.Metadata.ValueGenerated.Never;
        SnakeCaseModel.NameColumns(modelBuilder);
    }
}
