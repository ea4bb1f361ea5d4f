using System.Security.Cryptography;
using System.Text;

namespace Coordinator.Demo.Model;

/// <summary>
/// What the gateway of this process shows to the demo model of this process: random, never stored, so that the model
/// answers nobody else.
/// </summary>
internal sealed class DemoKey
{
    public string Value { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>Compares in constant time.</summary>
    public bool IsAuthorization(string header) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes($"Bearer {Value}"));
}
