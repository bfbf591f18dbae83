import { Injectable } from '@nestjs/common';
import { McpAuthDiagnostics } from 'nestjs-mcp-auth';

const RESOURCE = 'https://api.example.com/notes';

//#region explain
@Injectable()
export class Support {
  constructor(private readonly diagnostics: McpAuthDiagnostics) {}

  /** The decision, and a line for each check that did not pass. */
  async why(token: string): Promise<string[]> {
    await this.diagnostics.check(); // fetches the keys
    const { decision, reason, checks } = await this.diagnostics.explain(token, RESOURCE);
    const lines = checks
      .filter(({ outcome }) => outcome === 'failed' || outcome === 'unknown')
      .map(({ name, expected, found }) => `${name}: expected ${expected ?? ''}, found ${found ?? ''}`);
    return [`${decision}: ${reason ?? 'no reason'}`, ...lines];
  }
}
//#endregion explain
