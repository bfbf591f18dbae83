import type { ConfigProblem } from '../errors/config.error.js';
import type { CheckedOptions, CheckedResource } from './option-problems.js';
import { TENANT_VARIABLE } from './resource-template.js';
import { splitUrl } from './url-rules.js';

/** What a template cannot have, and why. */
const NOT_OF_TEMPLATES: readonly [
  option: string,
  message: string,
  isSet: (resource: CheckedResource) => boolean,
][] = [
  [
    'authorizationServerResolver',
    'stands beside "tenants", which names the servers of each tenant; leave one of the two out',
    ({ authorizationServerResolver }) => authorizationServerResolver !== undefined,
  ],
  [
    'audience',
    'would open all tenants to the tokens of each; let "tenants" return the audience of each tenant',
    ({ audience }) => audience !== undefined,
  ],
  [
    'audienceMatch',
    'cannot be "hierarchical" beside "tenants": a token for the origin would open all tenants',
    ({ audienceMatch }) => audienceMatch === 'hierarchical',
  ],
  [
    'allowAnonymous',
    'cannot be true beside "tenants"; give what is public a resource of its own',
    ({ allowAnonymous }) => allowAnonymous === true,
  ],
  [
    'anonymousMethods',
    'cannot stand beside "tenants"; leave it out',
    ({ anonymousMethods = [] }) => anonymousMethods.length > 0,
  ],
  [
    'metadata',
    '"signed_metadata" names one resource; let "tenants" return that of each tenant',
    ({ metadata }) => metadata?.signed_metadata !== undefined,
  ],
];

/** What the module cannot have beside a template, and why. */
const NOT_BESIDE_TEMPLATES: readonly [
  option: string,
  message: string,
  isSet: (options: CheckedOptions) => boolean,
][] = [
  [
    'serveRootAlias',
    'stands for one resource, and a template has many',
    (given) => given.serveRootAlias === true,
  ],
  [
    'legacyAuthorizationServerMetadata',
    'names one authorization server for the origin, and tenants have their own',
    ({ legacyAuthorizationServerMetadata: mirror = false }) => mirror !== false,
  ],
  [
    'stdio',
    'must be "deny": a call over stdio has no path that names its tenant',
    ({ stdio = 'deny' }) => stdio !== 'deny',
  ],
];

/** Returns the conflicts of templates with each other and with other options. @internal */
export function tenantProblems(options: CheckedOptions): ConfigProblem[] {
  const templates = options.resources.flatMap((resource, index) =>
    resource.tenants === undefined ? [] : [{ resource, path: `resources[${String(index)}]` }],
  );
  if (templates.length === 0) return [];
  return [
    ...templates.flatMap(({ resource, path }) =>
      NOT_OF_TEMPLATES.filter(([, , isSet]) => isSet(resource)).map(([option, message]) => ({
        path: `${path}.${option}`,
        message,
      })),
    ),
    ...templates.flatMap(({ resource, path }, index) => {
      const other = templates.slice(0, index).find((before) => overlap(before.resource, resource));
      const message = `has paths that belong to ${other?.path ?? ''} too; give the templates different paths`;
      return other ? [{ path: `${path}.resource`, message }] : [];
    }),
    ...NOT_BESIDE_TEMPLATES.filter(([, , isSet]) => isSet(options)).map(([path, message]) => ({
      path,
      message: `${message}; leave it out`,
    })),
  ];
}

/** Whether a path may belong to both templates. Resources are found by their path, whatever the host and the letter case. */
function overlap(one: CheckedResource, other: CheckedResource): boolean {
  const [left, right] = [segmentsOf(one), segmentsOf(other)];
  if (left.length !== right.length) return false;
  return left.every(
    (segment, index) =>
      segment === right[index] || segment === TENANT_VARIABLE || right[index] === TENANT_VARIABLE,
  );
}

function segmentsOf({ resource }: CheckedResource): readonly string[] {
  return splitUrl(resource)
    .path.toLowerCase()
    .split('/')
    .filter((segment) => segment !== '');
}
