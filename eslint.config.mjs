import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * The folders of lib/ in the order in which a request flows through them. A folder may import only
 * from the folders before it, and from errors/ and the constants file.
 */
const FLOW = [
  ['errors'],
  ['platform'],
  ['options'],
  ['events'],
  ['authorization-server'],
  ['resource'],
  ['token'],
  ['policy'],
  ['request'],
  ['downstream'],
  ['mcp'],
  ['rejection'],
  ['response'],
  ['diagnostics'],
  ['guard', 'decorators'],
  ['bootstrap'],
  ['redis'],
  ['testing'],
  ['doctor'],
];

const flowRules = FLOW.map((folders, index) => ({
  files: folders.map((folder) => `lib/${folder}/**/*.ts`),
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: [{ name: 'nestjs-mcp-auth', message: 'lib/ imports its own files by path.' }],
        patterns: [
          {
            group: ['@nestjs/common/*', '@nestjs/core/*'],
            message: 'Import Nest from the package roots only.',
          },
          {
            group: [
              ...FLOW.slice(index + 1)
                .flat()
                .map((folder) => `**/${folder}/*`),
              '**/mcp-auth.module*',
            ],
            message: 'A folder of lib/ imports only from folders above it (see CONTRIBUTING.md).',
          },
        ],
      },
    ],
  },
}));

/** The doctor is a command that knows no application: of lib/ it imports only pure functions. */
const PURE = [
  'authorization-server/(mcp-compliance|private-addresses|well-known-urls)',
  'events/escape-for-log',
  'options/(algorithms|url-rules)',
  'resource/resource-metadata-url',
].join('|');

const doctorRules = [
  ['lib/doctor/*.ts', '\\.\\./'],
  ['lib/doctor/*/*.ts', '\\.\\./\\.\\./'],
].map(([files, up]) => ({
  files: [files],
  ignores: ['**/*.spec.ts'],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^${up}(?!(errors/[^/]+|${PURE})\\.js$)`,
            message: 'The doctor imports only errors and pure functions (see CONTRIBUTING.md).',
            allowTypeImports: true,
          },
          { group: ['@nestjs/*', 'nestjs-mcp-auth'], message: 'The doctor needs no Nest.' },
        ],
      },
    ],
  },
}));

/** lib/redis implements contracts: it knows nothing of requests, so that an application can do the same. */
const redisRules = {
  files: ['lib/redis/**/*.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: [...FLOW.flat().map((folder) => `**/${folder}/*`), '**/mcp-auth.module*'].filter(
              (pattern) => !/errors|options|redis/.test(pattern),
            ),
            message: 'lib/redis imports only from options/ and errors/ (see CONTRIBUTING.md).',
          },
        ],
      },
    ],
  },
};

/** The names of specs say how they run (test/e2e/README.md); what a spec uses must fit its name. */
const NOT_SHARED = {
  selector: 'MemberExpression[object.name=/^(vi|process)$/]',
  message: 'It replaces or measures what specs of one process share: name the spec *.alone.*',
};
const NOT_TWICE = {
  selector: 'Identifier[name="PLATFORMS"]',
  message: 'The spec chooses its platforms and need not run again on Fastify: name it *.once.*',
};

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'sample/dist/**',
      'coverage/**',
      'docs/public/**',
      'docs/.vitepress/{dist,cache}/**',
      'node_modules/**',
      'test/api/**',
    ],
  },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      complexity: ['error', 10],
      'max-lines': ['error', { max: 200, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Else an import of types only would be one of the whole file at run time.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    },
  },
  ...flowRules,
  ...doctorRules,
  redisRules,
  {
    // A list of what is public, without code.
    files: ['lib/index.ts'],
    rules: { 'max-lines': 'off' },
  },
  {
    files: ['test/**', 'sample/**', '**/*.spec.ts', '*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      'max-lines': 'off',
      // Options are plain objects that fit their classes.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['test/{e2e,interop,property,docs}/**/*spec.ts'],
    ignores: ['**/*.alone.*'],
    rules: { 'no-restricted-syntax': ['error', NOT_SHARED] },
  },
  {
    files: ['test/{e2e,interop,property}/**/*spec.ts'],
    ignores: ['**/*.once.*'],
    rules: { 'no-restricted-syntax': ['error', NOT_TWICE] },
  },
  {
    files: ['test/{e2e,interop,property}/**/*spec.ts'],
    ignores: ['**/*.once.*', '**/*.alone.*'],
    rules: { 'no-restricted-syntax': ['error', NOT_SHARED, NOT_TWICE] },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      ...tseslint.configs.disableTypeChecked.languageOptions,
      globals: { console: 'readonly', fetch: 'readonly', process: 'readonly', URL: 'readonly' },
    },
  },
  {
    files: ['docs/.vitepress/theme/*.mjs'],
    languageOptions: { globals: { document: 'readonly', MutationObserver: 'readonly' } },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { globals: { exports: 'readonly', require: 'readonly' } },
    rules: {
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-require-imports': 'off',
    },
  },
);
