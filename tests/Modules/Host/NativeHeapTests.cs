using System.Runtime.InteropServices;
using Coordinator.Host.Starting;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

public sealed class NativeHeapTests
{
    private const int IsMapped = 2; // in the size that glibc keeps before a block

    /// <summary>64 MB of them: more than this process can have free between what it uses, from where a block is taken first.</summary>
    private const int Most = 1_000;

    [Fact]
    public void A_block_as_the_compiler_takes_them_is_a_mapping_of_its_own_which_freeing_gives_back()
    {
        NativeHeap.GiveBackAtOnce();

        List<IntPtr> blocks = [];
        try
        {
            do blocks.Add(Marshal.AllocHGlobal(NativeHeap.OwnMapping));
            while (!IsMapping(blocks[^1]) && blocks.Count < Most);
            Assert.True(IsMapping(blocks[^1]), $"Of {Most} blocks none is a mapping of its own.");
        }
        finally
        {
            blocks.ForEach(Marshal.FreeHGlobal);
        }
    }

    private static bool IsMapping(IntPtr block) => (Marshal.ReadIntPtr(block, -IntPtr.Size) & IsMapped) != 0;
}
