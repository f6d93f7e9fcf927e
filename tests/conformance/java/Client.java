import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException;
import java.util.Objects;
import java.util.UUID;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.Consent;
import org.hl7.fhir.r4.model.DateTimeType;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Procedure;
import org.hl7.fhir.r4.model.Reference;
import org.hl7.fhir.r4.model.UriType;
import org.hl7.fhir.r4.model.CodeType;
import org.hl7.fhir.r4.model.CodeSystem;

/** HAPI's generic client, unmodified, against a running service: {@code Client <base address> <token>}. */
public class Client {
  private static final String BASE = "https://rekobryggan.example/fhir";

  public static void main(String[] arguments) {
    IGenericClient client = FhirContext.forR4().newRestfulGenericClient(arguments[0]);
    client.registerInterceptor(new BearerTokenAuthInterceptor(arguments[1]));
    String number = UUID.randomUUID().toString();

    CapabilityStatement statement = client.capabilities().ofType(CapabilityStatement.class).execute();
    same("4.0.1", statement.getFhirVersion().toCode());

    Patient person = new Patient();
    person.addIdentifier().setSystem("urn:ehr").setValue(number);
    person.addName().setText("Prov Hapi");
    MethodOutcome made = client.create().resource(person).execute();
    same(true, made.getCreated());
    IdType patient = (IdType) made.getId().toUnqualifiedVersionless();

    Procedure activity = new Procedure();
    activity.addIdentifier().setSystem("urn:ehr").setValue(number);
    activity.setStatus(Procedure.ProcedureStatus.COMPLETED);
    activity.getCategory().addCoding().setSystem(BASE + "/CodeSystem/activity-kind").setCode("employer-contact");
    activity.setSubject(new Reference(patient));
    activity.setPerformed(new DateTimeType("2026-03-02T09:00:00+01:00"));
    Procedure stored = (Procedure) client.create().resource(activity).execute().getResource();
    same("GC001", stored.getCode().getCodingFirstRep().getCode());

    stored.addNote().setText("Arbetsgivaren återkommer.");
    Procedure changed = (Procedure) client.update().resource(stored).execute().getResource();
    same("2", changed.getIdElement().getVersionIdPart());
    Procedure read = client.read().resource(Procedure.class).withId(stored.getIdElement().toUnqualifiedVersionless()).execute();
    same("Arbetsgivaren återkommer.", read.getNoteFirstRep().getText());
    same("1", client.read().resource(Procedure.class).withIdAndVersion(read.getIdElement().getIdPart(), "1").execute().getMeta().getVersionId());

    Bundle found = client.search().forResource(Procedure.class).where(Procedure.PATIENT.hasId(patient))
        .and(Procedure.CODE.exactly().code("GC001")).returnBundle(Bundle.class).execute();
    same(1, found.getEntry().size());
    Bundle history = client.history().onInstance(read.getIdElement().toUnqualifiedVersionless()).returnBundle(Bundle.class).execute();
    same(2, history.getEntry().size());

    MethodOutcome again = client.create().resource(person)
        .conditional().where(Patient.IDENTIFIER.exactly().systemAndIdentifier("urn:ehr", number)).execute();
    same(patient.getIdPart(), again.getId().getIdPart());

    Parameters asked = new Parameters().addParameter("system", new UriType("urn:oid:1.2.752.116.1.3.2.1.4"));
    asked.addParameter("code", new CodeType("GC001"));
    Parameters looked = client.operation().onType(CodeSystem.class).named("$lookup").withParameters(asked).execute();
    same(true, looked.getParameter("display").getValue().primitiveValue().startsWith("Koordineringsinsatser"));

    refused(ResourceNotFoundException.class, () -> client.read().resource(Patient.class).withId("nobody").execute());
    Consent bare = new Consent();
    bare.setStatus(Consent.ConsentState.ACTIVE);
    bare.getScope().setText("?");
    bare.addCategory().setText("?");
    refused(UnprocessableEntityException.class, () -> client.create().resource(bare).execute());
    System.out.println("HAPI generic client: as expected");
  }

  private static void same(Object expected, Object found) {
    if (!Objects.equals(expected, found)) {
      throw new IllegalStateException("expected " + expected + ", found " + found);
    }
  }

  private static void refused(Class<? extends Exception> kind, Runnable deed) {
    try {
      deed.run();
    } catch (Exception refusal) {
      same(kind, refusal.getClass());
      return;
    }
    throw new IllegalStateException("expected " + kind.getSimpleName());
  }
}
