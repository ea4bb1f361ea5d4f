namespace Coordinator.Cli;

/// <summary>What was given on the command line or in its settings makes no sense; the message says what does. Exit code 2.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
