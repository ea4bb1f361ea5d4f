using Coordinator.Tests.Conformance.Architecture.Samples.Forbidden;

#pragma warning disable CA1812, CA1822, CA1852, CA1813, CA1018, CA1032, CA1064 // samples: only their compiled form is read

namespace Coordinator.Tests.Conformance.Architecture.Samples.Forbidden
{
    internal class Secret
    {
        public static int Value => 1;
    }

    [AttributeUsage(AttributeTargets.Class)]
    internal sealed class SecretAttribute : Attribute;

    internal sealed class SecretException : Exception;
}

namespace Coordinator.Tests.Conformance.Architecture.Samples
{
    internal sealed class UsesNothing
    {
        public int Work() => 2;
    }

    internal sealed class UsesInABody
    {
        public int Work() => Secret.Value;
    }

    internal sealed class UsesInAnAsyncBody
    {
        public async Task<int> Work()
        {
            await Task.Yield();
            return Secret.Value;
        }
    }

    internal sealed class UsesInAClosure
    {
        public Func<int> Work(int times) => () => times * Secret.Value;
    }

    internal sealed class UsesInAnIterator
    {
        public IEnumerable<int> Work()
        {
            yield return Secret.Value;
        }
    }

    internal sealed class UsesAsAGenericArgument
    {
        public object Work() => Array.Empty<Secret>();
    }

    internal sealed class UsesAsAConstraint<T>
        where T : Secret
    {
        public int Work() => 3;
    }

    [Secret]
    internal sealed class UsesAsAnAttribute
    {
        public int Work() => 4;
    }

    internal sealed class UsesInACatch
    {
        public int Work()
        {
            try
            {
                return int.Parse("5", System.Globalization.CultureInfo.InvariantCulture);
            }
            catch (SecretException)
            {
                return 6;
            }
        }
    }

    internal sealed class UsesInAnArray
    {
        public object? Work(object value) => value as Secret[];
    }
}
