/**
 * Corrects the roles in the search box of VitePress 1.6: the box calls itself a button although it holds buttons and links, each
 * result is an option that holds a link, and the link has a name other than its text.
 */
export function correctSearchRoles() {
  new MutationObserver(() => {
    const box = document.querySelector('.VPLocalSearchBox');
    if (box === null) return;
    if (box.getAttribute('role') === 'button') {
      box.setAttribute('role', 'dialog');
      box.setAttribute('aria-label', 'Search');
      remove(box, 'aria-owns', 'aria-expanded', 'aria-haspopup', 'aria-labelledby');
    }
    for (const key of box.querySelectorAll('kbd[aria-label]')) key.setAttribute('role', 'img');
    for (const list of box.querySelectorAll('.results')) remove(list, 'role');
    for (const item of box.querySelectorAll('.results > li')) remove(item, 'role', 'aria-selected');
    for (const link of box.querySelectorAll('.results a')) remove(link, 'aria-label');
  }).observe(document.body, { attributeFilter: ['aria-selected'], childList: true, subtree: true });
}

function remove(element, ...names) {
  for (const name of names) element.removeAttribute(name);
}
