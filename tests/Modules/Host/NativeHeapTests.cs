using System.Runtime.InteropServices;
using Coordinator.Host.Starting;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

public sealed class NativeHeapTests
{
    private const int IsMapped = 2; // in the size that glibc keeps before a block

    [Fact]
    public void A_block_as_the_compiler_takes_them_is_a_mapping_of_its_own_which_freeing_gives_back()
    {
        NativeHeap.GiveBackAtOnce();

        var block = Marshal.AllocHGlobal(NativeHeap.OwnMapping);
        var before = Marshal.ReadIntPtr(block, -IntPtr.Size);
        Marshal.FreeHGlobal(block);

        Assert.Equal(IsMapped, before & IsMapped);
    }
}
