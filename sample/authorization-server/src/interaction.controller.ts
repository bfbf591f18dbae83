import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Inject,
  Param,
  Post,
  Req,
  Res,
  UseFilters,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Interaction, Provider } from 'oidc-provider';
import { OIDC_PROVIDER } from './authorization-server-options.js';
import { ConsentService } from './consent.service.js';
import { InteractionErrorFilter } from './interaction-error.filter.js';
import { consentPage, loginPage, PAGE_HEADERS } from './pages.js';
import { SignInService } from './sign-in.service.js';

/**
 * The pages a person sees. oidc-provider stores the authorization request, sends the browser here and
 * takes over again when the person has answered.
 *
 * About CSRF: the forms carry no token of their own. oidc-provider finds the interaction by a signed,
 * HttpOnly, SameSite=Lax cookie whose path is this interaction's URL. A form posted from another site comes
 * without that cookie, and the random uid in the URL has to name the same interaction as the cookie.
 */
@Controller('interaction/:uid')
@UseFilters(InteractionErrorFilter)
export class InteractionController {
  constructor(
    @Inject(OIDC_PROVIDER) private readonly provider: Provider,
    @Inject(SignInService) private readonly signIn: SignInService,
    @Inject(ConsentService) private readonly consent: ConsentService,
  ) {}

  @Get()
  async show(@Param('uid') uid: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const interaction = await this.find(uid, request, response);
    if (interaction.prompt.name === 'login') {
      send(response, 200, loginPage(uid, await this.consent.clientName(interaction)));
    } else {
      send(response, 200, consentPage(uid, await this.consent.question(interaction)));
    }
  }

  @Post('login')
  async login(
    @Param('uid') uid: string,
    @Body() body: Record<string, unknown> | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const interaction = await this.find(uid, request, response, 'login');
    const accountId = this.signIn.signIn(body?.['username'], body?.['password']);
    if (accountId === undefined) {
      send(response, 401, loginPage(uid, await this.consent.clientName(interaction), true));
      return;
    }
    await this.provider.interactionFinished(request, response, { login: { accountId } });
  }

  @Post('confirm')
  async confirm(
    @Param('uid') uid: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const interaction = await this.find(uid, request, response, 'consent');
    const grantId = await this.consent.allow(interaction);
    await this.provider.interactionFinished(request, response, { consent: { grantId } });
  }

  @Post('abort')
  async abort(@Param('uid') uid: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    await this.find(uid, request, response, 'consent');
    const rejection = { error: 'access_denied', error_description: 'The person denied the request.' };
    await this.provider.interactionFinished(request, response, rejection, { mergeWithLastSubmission: false });
  }

  /** The interaction of the cookie; it has to be the one of the URL, and at the expected step. */
  private async find(uid: string, request: Request, response: Response, step?: string): Promise<Interaction> {
    const interaction = await this.provider.interactionDetails(request, response);
    if (interaction.uid !== uid || (step !== undefined && interaction.prompt.name !== step)) {
      throw new BadRequestException('This page does not belong to the current sign-in.');
    }
    return interaction;
  }
}

function send(response: Response, status: number, page: string): void {
  response.status(status).set(PAGE_HEADERS).send(page);
}
