import { Type } from 'class-transformer';
import { ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { isListOf, isPlainObject, type Problem } from './value-rules.js';

/** As {@link Problem}, for an option that depends on others of the same object. */
type OwnedProblem = (value: unknown, owner: object | undefined) => string | undefined;

/** Returns a class-validator rule for a function that returns what is wrong. @internal */
export const Check = (problem: OwnedProblem): PropertyDecorator =>
  ValidateBy({
    name: problem.name || 'check',
    validator: {
      validate: (value: unknown, args) => problem(value, args?.object) === undefined,
      defaultMessage: (args) => problem(args?.value, args?.object) ?? '',
    },
  });

/** Like {@link Check}, for an option that may be left out. `null` does not count as left out. @internal */
export const CheckOptional =
  (problem: Problem): PropertyDecorator =>
  (target, key) => {
    ValidateIf((_: object, value: unknown) => value !== undefined)(target, String(key));
    Check(problem)(target, key);
  };

/** Returns the class of a nested object; a function, so that classes may be declared in any order. */
type ClassOf = () => new () => object;

/**
 * Checks an optional nested object against its class.
 *
 * @param words - values that are allowed in place of an object
 * @internal
 */
export const CheckOptionalObject =
  (classOf: ClassOf, message = 'must be an object', words: readonly unknown[] = []): PropertyDecorator =>
  (target, key) => {
    ValidateIf((_: object, value: unknown) => !words.includes(value))(target, String(key));
    CheckOptional((value) => (isPlainObject(value) === undefined ? undefined : message))(target, key);
    ValidateNested({ message })(target, key);
    Type(classOf)(target, key);
  };

/** Checks a non-empty list of such objects. @internal */
export const CheckObjects =
  (classOf: ClassOf, message: string): PropertyDecorator =>
  (target, key) => {
    Check(isListOf(isPlainObject, { nonEmpty: true }))(target, key);
    ValidateNested({ each: true, message })(target, key);
    Type(classOf)(target, key);
  };
