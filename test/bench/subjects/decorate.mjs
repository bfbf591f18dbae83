/** Decorators for plain JavaScript: on a class, and on its methods by name. */
export function decorate(target, classDecorators, methodDecorators = {}) {
  for (const [name, decorators] of Object.entries(methodDecorators)) {
    const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
    for (const decorator of decorators) decorator(target.prototype, name, descriptor);
  }
  for (const decorator of classDecorators) decorator(target);
  return target;
}
