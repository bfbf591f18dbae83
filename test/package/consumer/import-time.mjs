// Prints how many milliseconds each step takes to load, where what stands before it is loaded already.
import 'reflect-metadata';

const steps = {
  nest: ['@nestjs/common', '@nestjs/core'],
  validator: ['class-validator', 'class-transformer'],
  dependencies: ['jose', 'oauth4webapi'],
  package: ['nestjs-mcp-auth'],
  testing: ['nestjs-mcp-auth/testing'],
};
const times = {};
for (const [step, names] of Object.entries(steps)) {
  const begun = process.hrtime.bigint();
  for (const name of names) await import(name);
  times[step] = Number(process.hrtime.bigint() - begun) / 1e6;
}
console.log(JSON.stringify(times));
