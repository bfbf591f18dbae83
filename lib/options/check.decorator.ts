import { ValidateBy, ValidateIf } from 'class-validator';
import { type Problem } from './value-rules.js';

/** A class-validator rule from a function that says what is wrong. @internal */
export const Check = (problem: Problem): PropertyDecorator =>
  ValidateBy({
    name: problem.name || 'check',
    validator: {
      validate: (value: unknown) => problem(value) === undefined,
      defaultMessage: (args) => problem(args?.value) ?? '',
    },
  });

/** As {@link Check}, for an option that may be left out. `null` is not left out. @internal */
export const CheckOptional =
  (problem: Problem): PropertyDecorator =>
  (target, key) => {
    ValidateIf((_: object, value: unknown) => value !== undefined)(target, String(key));
    Check(problem)(target, key);
  };
