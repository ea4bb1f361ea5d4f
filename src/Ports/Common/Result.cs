using System.Diagnostics.CodeAnalysis;

namespace Coordinator.Ports;

/// <summary>
/// An expected outcome that is not success: a stable <see cref="Code"/> (snake_case, part of the public contract) and
/// a <see cref="Detail"/> that tells a person what was wrong and what to do. Never holds a secret.
/// </summary>
public sealed record Problem(string Code, string Detail, ProblemKind Kind = ProblemKind.Unprocessable, TimeSpan? RetryAfter = null);

/// <summary>What class of refusal a problem is; the HTTP surface maps each to one status.</summary>
public enum ProblemKind
{
    /// <summary>400: cannot be read.</summary>
    Malformed,
    /// <summary>401: no credential, or not a valid one.</summary>
    Unauthenticated,
    /// <summary>403: known, but not allowed; only inside one's own organization.</summary>
    Forbidden,
    /// <summary>404: absent, or another organization's.</summary>
    NotFound,
    /// <summary>409: does not fit the present state.</summary>
    Conflict,
    /// <summary>410: was there, and is not any more.</summary>
    Gone,
    /// <summary>413: larger than the limit.</summary>
    TooLarge,
    /// <summary>422: can be read and makes no sense.</summary>
    Unprocessable,
    /// <summary>429: too many; try again after <see cref="Problem.RetryAfter"/>.</summary>
    TooMany,
    /// <summary>502: something outside, which the caller named, did not answer.</summary>
    Unreachable,
    /// <summary>503: something this needs is down; try again after <see cref="Problem.RetryAfter"/>.</summary>
    Unavailable,
}

/// <summary>What can be made from a <see cref="Problem"/> without knowing what it would have held.</summary>
public interface IFromProblem<TSelf>
    where TSelf : IFromProblem<TSelf>
{
    /// <summary>The outcome that is this problem.</summary>
    static abstract TSelf FromProblem(Problem problem);
}

/// <summary>An outcome of which one may ask whether it is a problem, without knowing what it would have held.</summary>
public interface IOutcome
{
    /// <summary>Null when it succeeded.</summary>
    Problem? Problem { get; }
}

/// <summary>Either a value or a <see cref="Ports.Problem"/>. Expected outcomes are values; programming errors throw.</summary>
public readonly record struct Result<T> : IFromProblem<Result<T>>, IOutcome
{
    private readonly T? value;

    private Result(T? value, Problem? problem) => (this.value, Problem) = (value, problem);

    /// <summary>Null when it succeeded.</summary>
    public Problem? Problem { get; }

    /// <summary>Whether there is a <see cref="Value"/>.</summary>
    [MemberNotNullWhen(false, nameof(Problem))]
    public bool IsSuccess => Problem is null;

    /// <summary>The value; reading it of a failed result is a programming error.</summary>
    public T Value => Problem is null ? value! : throw new InvalidOperationException($"The result is a problem: {Problem.Code}.");

    /// <summary>A success.</summary>
    public static implicit operator Result<T>(T value) => new(value, null);

    static Result<T> IFromProblem<Result<T>>.FromProblem(Problem problem) => problem;

    /// <summary>A refusal.</summary>
    public static implicit operator Result<T>(Problem problem) => new(default, problem);
}
