import { serveParent, settingsFromParent } from '../support/serve-parent.mjs';
import { eventCost } from './event-cost.mjs';
import { firstSight, hotToken, prepare } from './guard-speed.mjs';
import { introspectionSpeed } from './introspection-speed.mjs';
import { manyResources, startTime } from './many.mjs';
import { manyTenants } from './tenants.mjs';

const settings = settingsFromParent();
const subjects = prepare(settings);
subjects.catch(() => undefined);

serveParent({
  ready: async () => {
    await subjects;
  },
  hotToken: async (plan) => hotToken(await subjects, plan),
  firstSight: async (plan) => firstSight(await subjects, plan),
  eventCost: (plan) => eventCost(settings, plan),
  introspectionSpeed,
  startTime,
  manyResources,
  manyTenants,
});
