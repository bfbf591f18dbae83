/** What `--help` prints. @internal */
export const HELP = `Usage: nestjs-mcp-auth doctor URL [options]

Examines a protected MCP server as a client meets it, and says what to change.

  --token TOKEN            an access token to explain and to call with; "-" reads it from the standard
                           input. Also the environment variable MCP_TOKEN. It is sent to URL only.
  --login                  sign in with the official client, and list tools with their scopes
    --call TOOL            then call this tool, with step-up if it needs more scopes
    --arguments JSON       the arguments of the call
    --client-id ID         a registered client, else the client registers itself
    --client-metadata URL  a client ID metadata document
    --callback-port PORT   the port of http://127.0.0.1:PORT/callback; a free one by default
    --no-open              print the address to open, and do not open the browser
  --origin ORIGIN          the origin of a client in a browser that the server is to serve
  --header 'Name: value'   a header for the server, such as of a gateway; repeatable, never printed
  --ca FILE                certificates in PEM that are trusted too
  --timeout SECONDS        the time limit of each request; 10 by default
  --json                   print JSON
  --strict                 exit with 1 for warnings too
  --version, --help

Exit codes: 0 no errors, 1 errors, 2 wrong usage, or the server cannot be reached.
`;
