namespace Coordinator.Adapters.InProcess;

/// <summary>The activation ended before it took the input: the caller may try the next one.</summary>
internal sealed class ActivationOverException : Exception;
