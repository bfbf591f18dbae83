import { Type } from 'class-transformer';
import { ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { isListOf, isPlainObject, type Problem } from './value-rules.js';

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

/** Makes the class whose members a nested object has; a function, so that classes may stand in any order. */
type ClassOf = () => new () => object;

/**
 * For options of their own below an optional name.
 *
 * @param words - values that may stand there in place of an object
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

/** For a list of such objects, not empty. @internal */
export const CheckObjects =
  (classOf: ClassOf, message: string): PropertyDecorator =>
  (target, key) => {
    Check(isListOf(isPlainObject, { nonEmpty: true }))(target, key);
    ValidateNested({ each: true, message })(target, key);
    Type(classOf)(target, key);
  };
