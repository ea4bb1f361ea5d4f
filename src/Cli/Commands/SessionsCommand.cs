using System.CommandLine;
using Spectre.Console;

namespace Coordinator.Cli.Commands;

/// <summary><c>coordinator sessions</c>: the newest sessions, one a row.</summary>
internal static class SessionsCommand
{
    public static Command Create()
    {
        var limit = new Option<int>("--limit") { DefaultValueFactory = _ => 20, Description = "How many, 1 to 200." };
        var command = new Command("sessions", "List sessions, newest first.") { limit };
        command.SetClientAction(async (parsed, client, cancellationToken) =>
        {
            var page = await client.ListSessionsAsync(null, parsed.GetValue(limit), cancellationToken);
            if (page.Items.Count == 0)
            {
                Terminal.Line("No sessions yet. Start one: coordinator new --model demo/scripted \"run `ls`\"");
                return 0;
            }

            var table = new Table().Border(TableBorder.Simple).AddColumns("Id", "Title", "Status", "Box", "Model", "Updated");
            table.Columns[0].NoWrap();
            foreach (var s in page.Items)
                table.AddRow(s.Id, Markup.Escape(s.Title), s.Status, s.Sandbox.Status, Markup.Escape(s.Model), s.UpdatedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture));
            Terminal.Out.Write(table);
            return 0;
        });
        return command;
    }
}
