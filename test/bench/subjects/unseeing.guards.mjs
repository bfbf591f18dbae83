import { UnauthorizedException } from '@nestjs/common';

/** Shows what Nest takes to ask a guard, and to go on. */
export class AdmittingGuard {
  canActivate() {
    return true;
  }
}

/** Shows what Nest takes to ask a guard, and to answer for it. */
export class RejectingGuard {
  canActivate() {
    throw new UnauthorizedException();
  }
}
