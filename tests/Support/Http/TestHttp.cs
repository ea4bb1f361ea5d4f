namespace Coordinator.Tests.Support.Http;

/// <summary>Clients for tests: no proxy, no redirects, a bound on everything.</summary>
public static class TestHttp
{
    public static HttpClient Client(Uri? address = null) => new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }, disposeHandler: true)
    {
        BaseAddress = address,
        Timeout = TimeSpan.FromSeconds(30),
    };
}
