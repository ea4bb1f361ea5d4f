using System.Security.Cryptography;
using System.Text;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>How a repository stands in an index: by the SHA-256 of its URL, which alone may be too long for one.</summary>
internal static class RepositoryKey
{
    public static byte[] Of(string repository) => SHA256.HashData(Encoding.UTF8.GetBytes(repository));
}
