import theme from 'vitepress/theme-without-fonts';
import { correctSearchRoles } from './search-roles.mjs';
import './style.css';

export default {
  extends: theme,
  enhanceApp() {
    if (typeof document !== 'undefined') correctSearchRoles();
  },
};
