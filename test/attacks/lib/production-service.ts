/** The service as it is, in a world whose names the attacker resolves. */
import './attacker-dns';
import './sandbox-route';
import '../../../src/main';
