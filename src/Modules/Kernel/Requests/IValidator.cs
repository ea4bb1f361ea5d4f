using Coordinator.Ports;

namespace Coordinator.Modules.Kernel.Requests;

/// <summary>Checks a request before its handler sees it. Null: nothing wrong.</summary>
public interface IValidator<in TRequest>
{
    Problem? Validate(TRequest request);
}
