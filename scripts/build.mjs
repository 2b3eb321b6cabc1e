import { build, checkNode, ensureDependencies } from './setup.mjs';

checkNode();
ensureDependencies();
build();
