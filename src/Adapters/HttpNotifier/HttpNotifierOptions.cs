using Coordinator.Ports;

namespace Coordinator.Adapters.HttpNotifier;

/// <summary>Section <c>Notifier</c>: how notifications are delivered over HTTP.</summary>
public sealed class HttpNotifierOptions
{
    public const string Section = "Notifier";

    /// <summary>Until the connection stands. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>From the start of an attempt until all headers of the answer are there. Default 15 s.</summary>
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the answer's body is listened to; what it says does not matter. Default 5 s.</summary>
    public TimeSpan BodyTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The most that is read of an answer's body. Default 64 KiB.</summary>
    public int MaxAnswerBytes { get; set; } = 64 * 1024;

    /// <summary>How many attempts may be under way at once; further ones wait. Default 64.</summary>
    public int AtOnce { get; set; } = 64;

    /// <summary>
    /// What may be reached beyond the public internet (<see cref="Ports.AddressExceptions"/>); an entry with a host and a
    /// port may be reached over plain http too.
    /// </summary>
    public string[] AddressExceptions { get; set; } = [];

    internal IEnumerable<string> Problems()
    {
        if (ConnectTimeout <= TimeSpan.Zero) yield return $"{Section}:{nameof(ConnectTimeout)} is {ConnectTimeout}; it must be above zero.";
        if (HeadersTimeout < ConnectTimeout) yield return $"{Section}:{nameof(HeadersTimeout)} ({HeadersTimeout}) is below {nameof(ConnectTimeout)} ({ConnectTimeout}).";
        if (BodyTimeout <= TimeSpan.Zero) yield return $"{Section}:{nameof(BodyTimeout)} is {BodyTimeout}; it must be above zero.";
        if (MaxAnswerBytes <= 0) yield return $"{Section}:{nameof(MaxAnswerBytes)} is {MaxAnswerBytes}; it must be above zero.";
        if (AtOnce <= 0) yield return $"{Section}:{nameof(AtOnce)} is {AtOnce}; it must be above zero.";
        foreach (var entry in AddressExceptions.Where(entry => !IsException(entry))) yield return $"{Section}:{nameof(AddressExceptions)} holds '{entry}', which is not a host name, an address or a network.";
    }

    private static bool IsException(string entry)
    {
        try
        {
            return Ports.AddressExceptions.Parse([entry]) is not null;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
