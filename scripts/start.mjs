// `npm start`: installs missing dependencies, builds stale packages, then runs the server in this process.
import { build, checkNode, ensureDependencies } from './setup.mjs';

checkNode();
ensureDependencies();
build();
await import('../packages/server/bundle/main.js');
