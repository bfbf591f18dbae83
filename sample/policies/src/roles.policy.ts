import { Injectable } from '@nestjs/common';
import { type AuthInfo, AuthorizationPolicy, type PolicyCall } from 'nestjs-mcp-auth';

//#region roles
/** Editors may do everything, and everybody else may read. */
@Injectable()
export class EditorsWrite extends AuthorizationPolicy {
  decide({ kind, annotations }: PolicyCall, { claims }: AuthInfo): boolean {
    const { roles } = claims;
    const isEditor = Array.isArray(roles) && roles.includes('editor');
    return isEditor || kind !== 'tool' || annotations?.readOnlyHint === true;
  }
}
//#endregion roles
